namespace OpenHearth.Cli.Models;

/// <summary>Turns what somebody typed for MODEL into the path of a file or folder.</summary>
/// <param name="folders">Where models with names lie; a name is a file name: <c>SmolLM2-135M-Instruct.Q4_1.gguf</c> is <c>smollm2:135m-instruct-q4_1</c>.</param>
internal sealed class ModelReference(IReadOnlyList<string> folders)
{
    private const string Extension = ".gguf";

    /// <summary>Models beside the program and, in a checkout, at its root.</summary>
    public static ModelReference OfProgram() => new([.. Folders(AppContext.BaseDirectory)]);

    /// <summary>The path of a model.</summary>
    /// <exception cref="Failure">There is no such model or file.</exception>
    public string Resolve(string reference)
    {
        var known = Known();
        if (!LooksLikePath(reference) && Find(known, reference) is { } path)
            return path;
        if (reference.Length > 0 && (File.Exists(reference) || Directory.Exists(reference)))
            return Path.GetFullPath(reference);
        throw LooksLikePath(reference) ? NoFile(reference) : NoModel(reference, known);
    }

    /// <summary>All names with a tag, in the order of the folders.</summary>
    public IEnumerable<string> Names() => Known().Select(model => model.Name);

    /// <summary>Name and tag of a model file.</summary>
    public static string NameOf(string path)
    {
        var stem = Path.GetFileNameWithoutExtension(path).ToLowerInvariant().Replace('.', '-');
        var dash = stem.IndexOf('-', StringComparison.Ordinal);
        return dash <= 0 ? stem : $"{stem[..dash]}:{stem[(dash + 1)..]}";
    }

    private static IEnumerable<string> Folders(string program)
    {
        yield return Path.Combine(program, "models");
        for (var folder = new DirectoryInfo(program); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OpenHearth.slnx")))
                yield return Path.Combine(folder.FullName, "models");
        }
    }

    private List<(string Name, string Path)> Known() =>
        [.. folders.Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, $"*{Extension}").Order(StringComparer.Ordinal))
            .Select(path => (Name: NameOf(path), path))
            .DistinctBy(model => model.Name)];

    /// <summary>A name alone means its first tag; a tag may be cut at a dash.</summary>
    private static string? Find(List<(string Name, string Path)> known, string reference)
    {
        foreach (var (name, path) in known)
        {
            if (name.StartsWith(reference, StringComparison.OrdinalIgnoreCase) && (name.Length == reference.Length || name[reference.Length] is ':' || (reference.Contains(':', StringComparison.Ordinal) && name[reference.Length] is '-')))
                return path;
        }
        return null;
    }

    private static bool LooksLikePath(string reference) =>
        reference.AsSpan().ContainsAny('/', '\\') || reference.StartsWith('.') || reference.StartsWith('~')
        || Path.GetExtension(reference).ToUpperInvariant() is ".GGUF" or ".SAFETENSORS" or ".JSON" or ".MODEL";

    private static Failure NoFile(string reference)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(reference));
        if (!Directory.Exists(folder))
            return Failure.NotFound($"There is no folder {folder}. Check the path of the model.");
        var nearest = Nearest.To(Path.GetFileName(reference), Directory.EnumerateFileSystemEntries(folder).Take(1000).Select(entry => Path.GetFileName(entry)!));
        return Failure.NotFound(nearest is null
            ? $"There is no file or folder {reference}. Check the path of the model."
            : $"There is no file or folder {reference}. Did you mean {Path.Combine(Path.GetDirectoryName(reference) ?? "", nearest)}?");
    }

    private static Failure NoModel(string reference, List<(string Name, string Path)> known)
    {
        var names = known.SelectMany(model => new[] { model.Name.Split(':')[0], model.Name }).Distinct().ToList();
        var advice = Nearest.To(reference, names) is { } nearest ? $" Did you mean '{nearest}'?"
            : names.Count > 0 ? $" There is {string.Join(", ", known.Select(model => model.Name))}; or give the path of a GGUF file or a safetensors folder."
            : " Give the path of a GGUF file or a safetensors folder.";
        return Failure.NotFound($"There is no model '{reference}'.{advice}");
    }
}
