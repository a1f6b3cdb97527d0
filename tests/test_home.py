from pathlib import Path

import radixlab
from radixlab.home import learner_home, static_environment


def test_home_is_in_the_ignored_work_folder(monkeypatch):
    monkeypatch.delenv("RADIXLAB_HOME", raising=False)
    checkout = Path(radixlab.__file__).parent.parent
    assert learner_home() == checkout / "work" / ".radixlab"
    assert "/work/" in (checkout / ".gitignore").read_text().splitlines()


def test_a_checked_notebook_sees_no_learner_no_trace_no_gpu(tmp_path):
    seen = static_environment(tmp_path)
    assert seen["RADIXLAB_STATIC"] == "1" and seen["CUDA_VISIBLE_DEVICES"] == ""
    assert Path(seen["RADIXLAB_HOME"]).parent == tmp_path
    assert not Path(seen["RADIXLAB_TRACES"]).exists()
