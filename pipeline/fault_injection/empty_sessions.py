"""A noxfile whose sessions do nothing, to check that fault injection reports it."""

import ast


def empty_sessions(source: str) -> str:
    """Return a noxfile in which no session does anything.

    Args:
        source: The text of noxfile.py.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _is_session(node):
            node.body = node.body[:1]  # the docstring
    return ast.unparse(tree)


def _is_session(function: ast.FunctionDef) -> bool:
    return any("nox.session" in ast.unparse(each) for each in function.decorator_list)
