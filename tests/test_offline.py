"""Nothing is sent anywhere: not even by the libraries that the tools stand on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LISTENING = """
import sys
asked = []
network = ("socket.getaddrinfo", "socket.connect")
sys.addaudithook(lambda event, args: asked.append((event, args)) if event in network else None)
import core.faces.finder, core.detector.openvino_engine, predict, evaluate
from openvino.tools.ovc import telemetry_utils
predict.main([sys.argv[1]])
print(telemetry_utils.tm.__name__, asked)
"""


def test_a_command_line_asks_no_host():
    """OpenVINO would tell its maker of each import."""
    picture = ROOT / "requirements.txt"  # is refused; all is loaded until then
    command = [sys.executable, "-c", LISTENING, str(picture)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "openvino.tools.ovc.telemetry_stub []", done.stderr[-2000:]
