using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenHearth.Cli.Rendering;

namespace OpenHearth.Cli.Commands;

/// <summary><c>--batch F.json</c>: many inputs, one model.</summary>
internal static class Batches
{
    /// <summary>Prints one array of results in the order of the inputs. An item that fails gives its error and the others go on.</summary>
    /// <returns>The exit code: 1 when an item failed.</returns>
    public static int Run<T>(Invocation run, string path, Func<JsonElement, T> compute, JsonTypeInfo<T> type)
    {
        var failed = false;
        var separator = "[";
        foreach (var item in JsonInput.Read(path, JsonValueKind.Array).EnumerateArray())
        {
            run.Interrupt.Token.ThrowIfCancellationRequested();
            run.Out.Write(separator);
            separator = ",\n";
            try
            {
                run.Out.Write(JsonSerializer.Serialize(compute(item), type));
            }
            catch (Exception thrown) when (thrown is not OperationCanceledException)
            {
                failed = true;
                run.Log.Debug(thrown.ToString());
                run.Out.Write(JsonSerializer.Serialize(new ErrorDocument(Failure.From(thrown).Message), JsonDocuments.Readable.ErrorDocument));
            }
        }
        run.Out.WriteLine(separator == "[" ? "[]" : "]");
        return failed ? ExitCode.Failed : ExitCode.Done;
    }
}
