"""The screens: one direct script a page; `components` holds the pieces that they share."""
