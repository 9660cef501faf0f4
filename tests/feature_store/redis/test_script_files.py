from hashlib import sha1

from feature_store.redis import script_files
from tests.feature_store.servers import RunningServer


def test_the_server_knows_each_script_by_our_digest(server: RunningServer) -> None:
    client = server.client()
    for script in script_files.ALL:
        assert client.execute_command("SCRIPT", "LOAD", script.text) in (
            script.sha,
            script.sha.encode(),
        )
        assert script.sha == sha1(script.text.encode()).hexdigest()
    client.close()


def test_names_are_unique() -> None:
    assert len({script.name for script in script_files.ALL}) == len(script_files.ALL)
