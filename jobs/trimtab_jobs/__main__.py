"""`python -m trimtab_jobs`: the driver of one segment of a job, as the operator starts it in a pod."""

import os
import sys

from trimtab_jobs.in_cluster import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
