using BenchmarkDotNet.Running;
using OpenHearth.Benchmarks.Kernels;

// "kernels" prints one table in about a minute; anything else goes to BenchmarkDotNet.
if (args is ["kernels", ..])
    return KernelTable.Print(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
