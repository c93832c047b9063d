"""The endpoints as language models call them, by the Model Context Protocol."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from webui_server import Server

from gsv.errors import MissingLibraryError
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui import serving
from gsv.webui.home import Home
from gsv.webui.words import words_of

CLIPS = Path(__file__).parents[1] / "sample" / "clips"


def asked(server: Server, question: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        address = f"{server.url}gradio_api/mcp/"
        async with streamablehttp_client(address) as (reader, writer, _), ClientSession(reader, writer) as session:
            await session.initialize()
            return await question(session)

    # In a thread of its own, since a browser's tests may have a loop running in this one.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(ask())).result()


def test_endpoints_are_tools_that_say_what_their_arguments_mean(server: Server) -> None:
    tools = {tool.name: tool for tool in asked(server, ClientSession.list_tools).tools}
    assert {"open_slice", "open1abc", "open1Ba", "get_tts_wav", "label_page", "uvr_convert"} <= tools.keys()
    schema = tools["open_slice"].inputSchema
    assert schema["required"] == ["inp"]
    assert schema["properties"]["inp"]["description"] == "A recording to cut, or a folder of them."
    assert schema["properties"]["threshold"]["default"] == "-34"


def test_a_tool_works_and_refuses_by_the_sentence_that_scripts_get(server: Server) -> None:
    made = asked(server, lambda session: session.call_tool("open_slice", {"inp": str(CLIPS), "opt_root": "told"}))
    assert not made.isError and "Slicing is done" in made.content[0].text
    assert list((server.home / "told").glob("*.wav"))
    refused = asked(server, lambda session: session.call_tool("open_slice", {"inp": "/not/there"}))
    assert refused.isError and refused.content[0].text.startswith("inp: there is no file or folder /not/there")


def test_without_the_library_the_line_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import gradio as gr

    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    project = Project(tmp_path)
    with gr.Blocks() as blocks:
        pass
    with pytest.raises(MissingLibraryError, match=r'pip install "gsv\[mcp\]"'):
        serving.serve(blocks, serving.Serving(mcp=True), Home(project, words_of("en"), Jobs(project)))
