"""What stands on a page before its first picture: the samples, one click each."""

import streamlit as st

from core import samples
from pages.components import pictures, sources

TITLES = {"original": "Untouched portrait", "manipulated": "Manipulated portrait"}


def offer(page: str, key: str = "sample") -> None:
    """The samples as cards; a click shows one on the page. `key` begins the names of the buttons."""
    st.markdown("No picture at hand? Try a sample.")
    with st.grid("auto", min_column_width=220):
        for name, path in sources.made(samples.sample_images).items():
            with st.container(border=True, height="stretch"):
                title = TITLES.get(name, name)
                st.image(pictures.preview(str(path)), alt=title, width="stretch")
                st.button(
                    title,
                    key=f"{key}_{name}",
                    icon=":material/play_circle:",
                    width="stretch",
                    on_click=sources.show_sample,
                    args=(page, path),
                )
