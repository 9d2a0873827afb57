using BenchmarkDotNet.Running;
using OpenHearth.Benchmarks.Engine.Tokenization;
using OpenHearth.Benchmarks.Kernels;

// "kernels" and "tokenizer" print one table in a minute or less; anything else goes to BenchmarkDotNet.
if (args is ["kernels", ..])
    return KernelTable.Print(args[1..]);
if (args is ["tokenizer", ..])
    return TokenizerTable.Print(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
