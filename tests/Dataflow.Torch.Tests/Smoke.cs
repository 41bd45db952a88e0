namespace Dataflow.Torch.Tests;
public class Smoke { [Fact] public void Torch_loads() { using var t = TorchSharp.torch.ones(2,3); Assert.Equal(6, t.numel()); } }
