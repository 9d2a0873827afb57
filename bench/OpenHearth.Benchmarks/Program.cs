using BenchmarkDotNet.Running;
using OpenHearth.Benchmarks.Engine;
using OpenHearth.Benchmarks.Engine.Tokenization;
using OpenHearth.Benchmarks.Kernels;

// "memory" checks a prediction, see MemoryCheck. "kernels" and "tokenizer" print one table in a minute or less; anything else goes to BenchmarkDotNet.
if (args is ["kernels", ..])
    return KernelTable.Print(args[1..]);
if (args is ["tokenizer", ..])
    return TokenizerTable.Print(args[1..]);
if (args is ["memory", ..])
    return MemoryCheck.Run(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
