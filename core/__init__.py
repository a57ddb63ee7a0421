"""Everything that is not a screen: media, faces, detector, analysis, data, training. Never imports streamlit."""
