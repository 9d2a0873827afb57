using System.CommandLine;
using OpenHearth.Kernels.Formats;
using OpenHearth.Peers;

if (args is [BusyNeighbour.Argument])
    return BusyNeighbour.Spin();
var models = new Option<string[]>("--models")
{
    Description = "smollm2, or SHAPE-TYPE with SHAPE tinyllama-1.1b, llama-3.2-1b or smollm3-3b and TYPE Q4_0, Q8_0, Q4_K, Q6_K, F16 …",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => ["smollm2", "tinyllama-1.1b-Q4_0", "tinyllama-1.1b-Q4_K", "tinyllama-1.1b-Q8_0"],
};
var rounds = new Option<int>("--rounds") { Description = "Interleaved rounds.", DefaultValueFactory = _ => 5 };
var threads = new Option<int>("--threads") { Description = "Threads of each engine.", DefaultValueFactory = _ => Math.Min(2, Environment.ProcessorCount) };
var prompt = new Option<int>("--prompt") { Description = "Tokens of a prefill.", DefaultValueFactory = _ => 512 };
var tokens = new Option<int>("--tokens") { Description = "Tokens of a decode.", DefaultValueFactory = _ => 32 };
var batches = new Option<int[]>("--batches") { Description = "Tokens a step.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [4, 16] };
var depth = new Option<int>("--depth") { Description = "With the first model, also decode behind so many tokens; 0 for not.", DefaultValueFactory = _ => 4096 };
var bound = new Option<double>("--bound") { Description = "Largest spread of a cell at which a ratio is printed.", DefaultValueFactory = _ => 0.15 };
var scratch = new Option<string>("--scratch")
{
    Description = "Folder for the peer and the generated models.",
    DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "hearth-peers"),
};
var command = new RootCommand("Runs this engine and llama.cpp (npm node-llama-cpp) in interleaved rounds on the same models and prints ratios.")
{
    models, rounds, threads, prompt, tokens, batches, depth, bound, scratch,
};
command.SetAction(parsed =>
{
    var folder = parsed.GetValue(scratch)!;
    var paths = parsed.GetValue(models)!.Select(name => (Name: name, Path: Locate(name, folder))).ToList();
    var plan = new Comparison(parsed.GetValue(rounds), parsed.GetValue(threads), parsed.GetValue(prompt), parsed.GetValue(tokens), parsed.GetValue(batches)!, parsed.GetValue(bound));
    plan.PrintHead();
    foreach (var (name, path) in paths)
        plan.Run(name, path, folder, name == paths[0].Name ? parsed.GetValue(depth) : 0);
    return 0;
});
var files = new Argument<string[]>("files") { Description = "GGUF files with a tokenizer, such as hearth convert writes.", Arity = ArgumentArity.OneOrMore };
var same = new Command("same", "Continues a prompt with both engines and says how far their logits are apart and whether the likeliest tokens are the same; of encoders, their vectors.") { files };
same.Add(scratch);
same.SetAction(parsed => SameText.Compare(parsed.GetValue(files)!, parsed.GetValue(scratch)!) ? 0 : 1);
command.Add(same);
try
{
    return command.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception failure) when (SameText.SpeaksForItself(failure))
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

static string Locate(string name, string scratch)
{
    if (name == "smollm2")
        return Path.Combine(AppContext.BaseDirectory, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");
    Shape[] shapes = [Shape.TinyLlama, Shape.Llama32, Shape.SmolLm3];
    var shape = shapes.FirstOrDefault(s => name.StartsWith(s.Name + "-", StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"No shape for '{name}'; known: {string.Join(", ", shapes.Select(s => s.Name))}.");
    return Enum.TryParse<TensorType>(name[(shape.Name.Length + 1)..], ignoreCase: true, out var type)
        ? RandomModel.Ensure(Path.Combine(scratch, "models"), shape, type)
        : throw new ArgumentException($"No format '{name[(shape.Name.Length + 1)..]}'.");
}
