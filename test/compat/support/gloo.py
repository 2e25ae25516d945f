"""What a torchrun recipe does at its core: join the process group and add up the ranks over gloo."""
import os
import sys

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
value = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(value)
# One write a line: Python may run unbuffered, and other ranks write too.
sys.stdout.write(
    f"rank {dist.get_rank()} of {dist.get_world_size()} on {os.environ['SLURMD_NODENAME']}"
    f" sees GPUs [{os.environ.get('CUDA_VISIBLE_DEVICES', '')}]: sum {value.item():.0f}\n"
)
sys.stdout.flush()
dist.destroy_process_group()
