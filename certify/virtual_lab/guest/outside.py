"""Ask the lab around this guest to do what nobody inside can: pull a cable, cut a node's power.

    python -I -S outside.py cable cut engine1:link

A script of its own, without our packages: it runs while stalls are measured.
"""

import json
import os
import socket
import sys

SOCKET = "/run/zerostall/outside.sock"
LONGEST = 1 << 20


def ask(words: list[str], path: str = SOCKET) -> int:
    """Send the words to the agent, print what is answered; return the exit status."""
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(path)
        agent.sendall(json.dumps(words).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < LONGEST:
            if not (data := agent.recv(65536)):
                break
            answer += data
    if not answer:
        os.write(2, b"outside: the agent did not answer\n")
        return 2
    told = json.loads(answer)
    if told["text"]:
        os.write(2 if told["code"] > 1 else 1, f"{told['text']}\n".encode())
    return int(told["code"])


if __name__ == "__main__":
    raise SystemExit(ask(sys.argv[1:]))
