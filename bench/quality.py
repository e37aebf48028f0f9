"""`make bench-quality`: demosaicing and denoising against known truth; results are kept as JSON."""

from __future__ import annotations

import json

from . import clock, demosaic, denoise


def main() -> None:
    results = {"demosaic": demosaic.main(), "denoise": denoise.run()}
    print(json.dumps(results["denoise"], indent=1))
    print(f"\nkept in {clock.keep(results, 'quality')}")


if __name__ == "__main__":
    main()
