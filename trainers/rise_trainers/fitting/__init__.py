"""One reward-weighted fit on `transformers.Trainer` under DeepSpeed: `rise fit`."""
