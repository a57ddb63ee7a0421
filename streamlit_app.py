"""The app: `streamlit run streamlit_app.py`. A router: page config, navigation and the detector in use."""

from pathlib import Path

import streamlit as st

from core.errors import SetupError
from core.setup_check import check_system

# A picture of our own: for a Material or emoji icon the browser would ask a server of Google's at every page.
ICON = Path(__file__).parent / "pages" / "components" / "icon.png"

st.set_page_config(page_title="Deepfake detector", page_icon=str(ICON), layout="wide")

try:
    check_system()  # before anything that needs the system libraries is imported
except SetupError as error:
    st.error(str(error), title=error.title, icon=":material/error:")
    st.stop()

from pages.components import routing, settled  # noqa: E402
from pages.components.sidebar import detector_picker  # noqa: E402

page = routing.navigation()
st.set_page_config(page_title=f"{page.title} · Deepfake detector")  # so that tabs and bookmarks can be told apart
detector_picker()
settled.settle()
routing.run(page)
