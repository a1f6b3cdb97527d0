// Rules about a node or a sequence as it stands: what must hold after every operation.
// The same as radixlab/observe/standing_rules.py. What is wrong is a list of [rule, sentence].

/** True for a tree alone, which no request has used. */
export function isBare(state) {
  return !state.num_requests && state.sequences.size === 0;
}

/** "1 lock", "2 locks". */
export function numberOf(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** A node and its ancestors as far as they exist, deepest first; a cycle ends it, too. */
function pathThatExists(state, nodeId) {
  const path = [];
  let node = state.nodes.get(nodeId);
  while (node && path.length < state.nodes.size) {
    path.push(node);
    node = node.parent_id === null ? null : state.nodes.get(node.parent_id);
  }
  return path;
}

/** What is wrong with a node; nothing if it does not exist. */
export function wrongWithNode(holders, nodeId) {
  const node = holders.state.nodes.get(nodeId);
  if (!node) return [];
  const wrong = [];
  checkSize(holders.state, node, wrong);
  checkRelations(holders, node, wrong);
  checkBlocks(holders, node, wrong);
  checkLocks(holders, node, wrong);
  return wrong;
}

function checkSize(state, node, wrong) {
  const blocks = node.block_ids.length;
  const tokens = node.tokens.length;
  if (blocks && tokens === blocks * state.block_size) return;
  const has = `${numberOf(blocks, "block")} and ${numberOf(tokens, "token")}`;
  wrong.push(["M12", `node ${node.id} has ${has}: these are not whole blocks`]);
}

function checkRelations(holders, node, wrong) {
  const { nodes } = holders.state;
  const parent = nodes.get(node.parent_id);
  const onHost = node.resident === false;
  const above = (id, parentId) => `node ${id} is on the device, but node ${parentId} above it on the host`;
  if (node.parent_id !== null && !parent) wrong.push(["E2", `node ${node.id} is cached, but node ${node.parent_id} above it is not`]);
  if (parent && !sameNamespace(parent.namespace, node.namespace)) {
    wrong.push(["K1", `node ${node.id} is below node ${parent.id} of another namespace`]);
  }
  if (parent?.resident === false && !onHost) wrong.push(["H6", above(node.id, parent.id)]);
  for (const id of onHost ? (holders.children.get(node.id) ?? []) : []) {
    if (nodes.get(id).resident !== false) wrong.push(["H6", above(id, node.id)]);
  }
  const twins = holders.fronts.get(holders.front(node)) ?? [];
  if (twins.length < 2) return;
  const [one, other] = twins.toSorted((a, b) => a - b);
  wrong.push(["M7", `node ${one} and node ${other} are siblings with the same first block`]);
}

function checkBlocks(holders, node, wrong) {
  const { state } = holders;
  const index = holders.blocksOf(node);
  const onHost = node.resident === false;
  const size = onHost ? (state.num_host_blocks ?? 0) : state.num_blocks;
  const word = onHost ? "host block" : "block";
  for (const block of node.block_ids) {
    const owners = index.get(block);
    if (owners.length > 1) {
      const [one, other] = owners.toSorted((a, b) => a - b);
      return void wrong.push(["M8", `${word} ${block} is in node ${one} and in node ${other}`]);
    }
    if (!(block >= 0 && block < size) && !isBare(state)) {
      return void wrong.push(["M8", `${word} ${block} of node ${node.id} is outside the pool of ${size}`]);
    }
  }
}

function checkLocks(holders, node, wrong) {
  let least = holders.lockers.get(node.id)?.length ?? 0;
  for (const id of holders.children.get(node.id) ?? []) least += holders.state.nodes.get(id).lock_ref;
  const has = `node ${node.id} has ${numberOf(node.lock_ref, "lock")}`;
  if (node.lock_ref < 0) wrong.push(["L2", has]);
  if (node.lock_ref < least) wrong.push(["L1", `${has}, not at least ${least}`]);
}

/** What is wrong between a sequence and the path that it has locked. */
export function wrongWithSequence(holders, sequenceId) {
  const { state } = holders;
  const sequence = state.sequences.get(sequenceId);
  if (!sequence || sequence.node_id === null) return [];
  const path = pathThatExists(state, sequence.node_id).reverse();
  const node = path.at(-1);
  if (!node) return [["L4", `sequence ${sequence.id} has locked node ${sequence.node_id}, which is gone`]];
  const wrong = namespaceOf(sequence, node);
  const where = `its path, to node ${node.id}`;
  if (!isFront(path.flatMap((each) => each.block_ids), sequence.block_table, Infinity)) {
    wrong.push(["M10", `the table of sequence ${sequence.id} does not begin with the blocks of ${where}`]);
  }
  if (!isFront(path.flatMap((each) => each.tokens), sequence.tokens, sequence.tokens.length)) {
    wrong.push(["M8", `sequence ${sequence.id}: ${where}, holds other tokens`]);
  }
  return wrong;
}

/** Whether the first `most` of `front` are the first of `list`. */
function isFront(front, list, most) {
  const count = Math.min(front.length, most);
  for (let k = 0; k < count; k += 1) if (front[k] !== list[k]) return false;
  return true;
}

function sameNamespace(one, other) {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

function namespaceOf(sequence, node) {
  const [mine, other] = [sequence.namespace ?? null, node.namespace ?? null];
  if (sameNamespace(mine, other)) return [];
  const tag = (namespace) => (namespace === null ? "no namespace" : `namespace ${namespace.join(" ")}`);
  const rule = mine !== null && other !== null && mine[1] === other[1] ? "K2" : "K1";
  return [[rule, `sequence ${sequence.id} of ${tag(mine)} reads node ${node.id} of ${tag(other)}`]];
}
