"""One running WebUI for the tests that only talk to it."""

from collections.abc import Iterator

import pytest
from gradio_client import Client
from webui_server import Server, home_like, served

from gsv.paths import Project


@pytest.fixture(scope="session")
def server(narrow: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(home_like(narrow.root, tmp_path_factory.mktemp("webui")), "en", "--mcp") as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Client:
    return Client(server.url, verbose=False)
