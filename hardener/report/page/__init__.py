"""The HTML report lives here: one page that needs nothing but itself, made of an Outcome through the Redactor.

``whole`` puts it together; ``sections`` holds the records, ``score`` the table of risks, ``side_by_side`` the diffs,
``drawing`` the connections as SVG, placed by ``columns``, ``words`` what every text passes.
``page.css`` and ``page.js`` stand in the page, named by their digests in its content security policy, so that nothing
else in it can run or load.
"""
