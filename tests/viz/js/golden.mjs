// The logs that Python wrote, with what it folded them to.
import { readFileSync } from "node:fs";

export const logs = JSON.parse(readFileSync(process.env.GOLDEN, "utf8"));
