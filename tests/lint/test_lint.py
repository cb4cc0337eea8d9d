"""The lint checks can fail: each is shown a small tree that breaks its rule."""
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(check, root):
    done = subprocess.run([sys.executable, HERE / f"{check}.py", root], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


def tree(root, **texts):
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_layers(tmp_path):
    bad = tree(tmp_path, core__a_DOT_c='#include "proto/line.h"\n#include <uv.h>\nstatic int n;\nstruct b *global;\nint f(void)\n{\n'
               "    static int calls = 0;\n    return calls++ + rand();\n}\n",
               proto__line_DOT_h='#include "core/model.h"\n', core__model_DOT_h="struct model;\nstatic const int k = 3;\n")
    status, text = run("layers", bad)
    assert status == 1
    for part in ("proto/line.h is not below", "<uv.h> belongs into tests/ daemon/", "static int n;", "struct b *global;", "static int calls",
                 "calls rand()", "proto/line.h: core/model.h is not below"):
        assert part in text
    assert "core/model.h: " not in text.replace("proto/line.h: core/model.h", "")


def test_layers_clean(tmp_path):
    good = tree(tmp_path, core__base__a_DOT_h="#include <stdint.h>\n", core__b_DOT_c='#include "core/base/a.h"\nint f(void)\n{\n    return 1;\n}\n')
    assert run("layers", good) == (0, "")


def test_tidy(tmp_path):
    bad = tree(tmp_path, core__long_DOT_c="\n" * 401, core__meson_DOT_build="files('other.c')\n", README_DOT_md="see " + "/wo" + "rk/x \n")
    status, text = run("tidy", bad)
    assert status == 1
    for part in ("split it", "no meson.build names it", "somebody's machine", "blank at the end"):
        assert part in text


def test_readme(tmp_path):
    bad = tree(tmp_path, dev="./dev test\n", README_DOT_md="`./dev test` and `./dev fly`; [here](nowhere.md) and [there](dev)\n")
    status, text = run("readme", bad)
    assert status == 1
    assert "./dev fly does not exist" in text and "nowhere.md" in text and "test does not" not in text
