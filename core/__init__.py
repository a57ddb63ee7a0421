"""Everything that is not a screen: media, faces, detector, analysis, data, training. Never imports streamlit."""

import sys

# OpenVINO reports each import to its maker where this package is installed. Here nothing is sent anywhere, so it finds
# none and takes the stub that it has for that; whatever imports OpenVINO is below this package.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
