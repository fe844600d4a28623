#!/usr/bin/env python3
"""Every diagnostic of the dialect is expected by a case of ir/tests/invalid-*.mlir.

Takes the longest literal of each emitError and emitOpError in ir/dialect/*.cpp and looks for it, as far as it is printed
without a break, among the expected-error lines. A rule without a case is listed, and the exit status is 1.
"""

import re
import sys
from pathlib import Path

ir = Path(__file__).resolve().parent.parent


def literals(statement: str) -> list[str]:
    """String literals; adjacent ones are one."""
    found: list[str] = []
    end = -1
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"', statement):
        text = match[1].replace('\\"', '"')
        if found and not statement[end : match.start()].strip():
            found[-1] += text
        else:
            found.append(text)
        end = match.end()
    return found


def main() -> int:
    cases = "\n".join(path.read_text() for path in sorted((ir / "tests").glob("invalid-*.mlir")))
    expected = re.findall(r"expected-error\s*(?:@\S*)?\s*\{\{(.*?)\}\}", cases)
    missing, rules = [], 0
    for path in sorted((ir / "dialect").glob("*.cpp")):
        if path.name.endswith("Test.cpp"):
            continue
        text = path.read_text()
        for match in re.finditer(r"\b(?:emitOpError|emitError)\s*\(", text):
            statement = text[match.start() : text.index(";", match.start())]
            longest = max(literals(statement), key=len, default="")
            if not longest:
                continue
            rules += 1
            # A case may stop before a long list.
            if not any(longest.strip() in line or longest.strip()[:18] in line for line in expected):
                line = text.count("\n", 0, match.start()) + 1
                missing.append(f"ir/dialect/{path.name}:{line}: no case of ir/tests/invalid-*.mlir expects: {longest.strip()}")
    print("\n".join(missing) if missing else f"{rules} rules, each with a case")
    return 1 if missing or rules == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
