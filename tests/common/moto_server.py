"""A moto server on a free port of loopback, which ends when its standard input does.

Prints the port on the first line once it answers. The parent holds the other end of standard input, so the server
cannot outlive it, however the parent ends.
"""

import logging
import os
import sys
import threading

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def main() -> None:
    # Failing executions are what the tests make; moto logs each as an error of its own.
    logging.disable()
    # Without it moto pretends: every execution succeeds at once.
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    # Tasks of a state machine call other services of the same server.
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()
    # Running executions are threads of their own: they are not waited for.
    os._exit(0)


main()
