"""What the tests of the evaluation page share."""

from streamlit.testing.v1 import AppTest

from core.evaluation_html import as_html
from pages.components import evaluation_mistakes


def evaluation_page(app: AppTest) -> AppTest:
    return app.switch_page("pages/evaluation.py").run()


def section(app: AppTest, name: str) -> AppTest:
    app.session_state["evaluation_tabs"] = name
    return app.run()


def start(app: AppTest, folder: str) -> AppTest:
    app.text_input(key="evaluation_folder").set_value(folder)
    return app.button(key="evaluation_start").click().run()


def exported(document: dict) -> str:
    """What the page's HTML button gives, without Plotly."""
    html = as_html(document, evaluation_mistakes.cards(document))
    return html[: html.index("<script>")]
