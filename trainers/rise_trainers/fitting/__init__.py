"""One fit by reward-weighted regression with `transformers.Trainer` and DeepSpeed: `rise fit`."""
