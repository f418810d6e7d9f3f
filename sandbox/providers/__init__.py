"""Provider plugins: `python -m sandbox.providers.aws`, `.random`, `.tls`."""

import os

# gRPC (1.85) would stop its own threads around each fork and start them again in the child. The aws plugin
# forks while it answers, to start databases as another user; of 2,000 such children 6 died in gRPC's part
# of it before they ran anything. A child of these plugins only runs another program, so nothing is lost.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
