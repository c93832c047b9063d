"""The page is there soon: what is heavy is loaded when it is first needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from gsv.paths import Project
from gsv.webui.home import Home
from gsv.webui.serving import Serving

# Builds and serves the page, looks at it, and says what was loaded by then.
_LOOK = """
import sys, urllib.request
from pathlib import Path
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui.app import build
from gsv.webui.companions import Companions
from gsv.webui.home import Home
from gsv.webui.serving import Serving, serve
from gsv.webui.words import words_of
project = Project(Path(sys.argv[1]))
serving = Serving(port=int(sys.argv[2]))
home = Home(project, words_of("en"), Jobs(project))
close = serve(build(home, Companions(serving)), serving, home)
page = urllib.request.urlopen(serving.url(serving.port)).read().decode()
close()
print(len(page) > 1000, sorted({"torch", "transformers", "librosa", "funasr", "tensorboard"} & set(sys.modules)))
"""


def test_the_page_is_up_without_heavy_libraries(tmp_path: Path) -> None:
    from webui_server import free_port

    command = [sys.executable, "-c", _LOOK, str(tmp_path), str(free_port())]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.stdout.splitlines()[-1:] == ["True []"], result.stderr


@pytest.mark.parametrize(
    ("host", "share", "public"),
    [
        ("127.0.0.1", False, False),
        ("localhost", False, False),
        ("::1", False, False),
        ("0.0.0.0", False, True),
        ("192.168.1.7", False, True),
        ("127.0.0.1", True, True),
    ],
)
def test_a_server_is_public_when_other_machines_reach_it(host: str, share: bool, public: bool) -> None:
    assert Serving(host=host, share=share).public is public


def test_a_public_page_touches_allowed_folders_alone(tmp_path: Path) -> None:
    from gsv.errors import InputError
    from gsv.jobs.registry import Jobs
    from gsv.webui.words import words_of

    project = Project(tmp_path / "project")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "way out").symlink_to("/etc")
    words, jobs = words_of("en"), Jobs(project)
    here = Home(project, words, jobs)
    assert here.path("/etc/passwd", "inp") == Path("/etc/passwd")
    wide = Home(project, words, jobs, public=True, allowed=(Path("/usr/share"),))
    assert wide.path("logs/x", "inp") == tmp_path / "project" / "logs" / "x"
    assert wide.path("/usr/share/x", "inp") == Path("/usr/share/x")
    for outside in ("/etc/passwd", "way out/passwd", "../../../../etc/passwd", "/usr/share/../../etc/passwd"):
        with pytest.raises(InputError, match=r"^inp: .* is outside the folders that this server may use"):
            wide.path(outside, "inp")


def test_auth_is_a_user_and_a_password() -> None:
    from gsv.errors import InputError

    assert Serving(auth="me:a:b").visitor == ("me", "a:b")
    assert Serving().visitor is None
    with pytest.raises(InputError, match="user:password"):
        _ = Serving(auth="me").visitor
