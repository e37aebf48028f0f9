"""Stopping: Ctrl-C and SIGTERM reach the command as exceptions: it finishes the file it writes, clears up and goes."""

from __future__ import annotations

import _thread
import signal
import sys

_SIGNALS = {KeyboardInterrupt: signal.SIGINT, SystemExit: signal.SIGTERM}
_LATER_S = 0.01  # when the closing is over; if it is not, it comes here again


def heed() -> None:
    """SIGTERM becomes SystemExit(143), as SIGINT is KeyboardInterrupt; neither can be lost."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.unraisablehook = _again


def _again(lost: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised while something is closed; a wish to stop comes again, a little later."""
    if lost.exc_type in _SIGNALS:
        import threading  # 13 ms that no command needs to pay

        again = threading.Timer(_LATER_S, _thread.interrupt_main, (_SIGNALS[lost.exc_type],))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(lost)
