using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine.Conversion;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth convert</c>: the same model as a GGUF file or a folder of safetensors, with weights of another type.</summary>
internal sealed class ConvertCommand
{
    public static CommandEntry Entry { get; } = new("convert", "Write a model as a GGUF file or a folder of safetensors, with weights of another type; once stopped, the same command goes on.",
    [
        "hearth convert smollm2 --out smollm2-q8.gguf --type q8_0",
        "hearth convert model.gguf --out model-f16.gguf --type f16",
        "hearth convert ./folder-of-safetensors --out model.gguf --type bf16",
        "hearth convert model.gguf --out ./folder --type bf16",
    ], (command, options) => new ConvertCommand(command, options).Execute);

    private readonly Option<string> _out = new("--out") { Description = "The GGUF file to write; it appears when it is whole. A name that doesn't end in .gguf is a folder of safetensors, new or empty.", HelpName = "F.gguf", Required = true };
    private readonly Option<string> _type = new("--type")
    {
        Description = $"What matrices become: {string.Join(", ", ConversionType.All.Select(type => type.Name))}.",
        HelpName = "TYPE",
        Required = true,
    };

    private ConvertCommand(Command command, CommonOptions options)
    {
        command.Add(options.Model);
        command.Add(_out);
        command.Add(_type);
    }

    private int Execute(Invocation run)
    {
        var type = ConversionType.Find(run.Get(_type)!)
            ?? throw Failure.WrongCommandLine($"--type takes {string.Join(", ", ConversionType.All.Select(known => known.Name))}, not '{run.Get(_type)}'.");
        var path = run.Get(_out)!;
        if (path.Length == 0)
            throw Failure.WrongCommandLine("--out takes the name of a file or folder.");
        run.Interrupt.Listen();
        long bytes;
        try
        {
            bytes = ModelConversion.Convert(run.ModelPath, path, type, at => run.Progress(string.Create(CultureInfo.InvariantCulture, $"{at.Number} of {at.Count}: {at.Tensor}")), run.Interrupt.Token);
        }
        catch (OperationCanceledException stopped)
        {
            throw new Failure(ExitCode.Cancelled, "Cancelled; the same command goes on where it was.", stopped);
        }
        finally
        {
            run.Progress(null);
        }
        if (run.Json)
            run.WriteJson(new ConversionDocument(path, type.Name, bytes), JsonDocuments.Readable.ConversionDocument);
        else
            run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {type.Name}, {bytes / 1e6:F1} MB"));
        return ExitCode.Done;
    }
}
