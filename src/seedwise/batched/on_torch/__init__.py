"""The engines that train torch modules. They import torch, so nothing imports them before a training is asked for."""
