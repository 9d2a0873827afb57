using System.CommandLine;
using System.Text.Json;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth template</c>: what a chat looks like to a model.</summary>
internal sealed class TemplateCommand
{
    public static CommandEntry Entry { get; } = new("template", "Render a model's chat template, or any template.",
    [
        "hearth template smollm2 --messages messages.json",
        "hearth template smollm2 --messages messages.json --tools tools.json --no-generation-prompt",
        "hearth template --template chat.jinja --vars variables.json",
    ], (command, options) => new TemplateCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly Argument<string?> _model = new("MODEL") { Description = "Whose template; not needed with --template.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _template = new("--template") { Description = "A template file instead of the model's.", HelpName = "T.jinja" };
    private readonly Option<string?> _messages = new("--messages") { Description = "A JSON array of {\"role\", \"content\"}.", HelpName = "F.json" };
    private readonly Option<string?> _tools = new("--tools") { Description = "A JSON array of tools.", HelpName = "F.json" };
    private readonly Option<string?> _variables = new("--vars") { Description = "A JSON object of further variables.", HelpName = "F.json" };
    private readonly Option<bool> _noGenerationPrompt = new("--no-generation-prompt") { Description = "End after the last message, without the head of an answer." };

    private TemplateCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(_model);
        foreach (var option in new Option[] { _template, _messages, _tools, _variables, _noGenerationPrompt, options.Batch })
            command.Add(option);
    }

    private int Execute(Invocation run)
    {
        var batch = run.Get(_options.Batch);
        var model = run.Get(_model) is { } reference ? ModelTemplate.Read(ModelReference.OfProgram().Resolve(reference)) : null;
        var file = run.Get(_template) is { } path ? ChatTemplate.Parse(File.ReadAllText(path)) : null;
        if (model is null && file is null && batch is null)
            throw Failure.WrongCommandLine("Name a model, or give --template.");
        var options = new TemplateOptions { Clock = run.Clock };
        if (batch is not null)
            return Batches.Run(run, batch, item => new TextDocument(RenderItem(item, file, model, options)), JsonDocuments.Readable.TextDocument);
        if (run.Get(_messages) is null && run.Get(_variables) is null)
            throw Failure.WrongCommandLine("Give --messages or --vars.");
        var template = file ?? Template(run, model!);
        // A template alone sees exactly the variables given; a model's sees what a chat has.
        var variables = model is null && run.Get(_messages) is null ? JsonInput.Object(run.Get(_variables)!) : Prompt(run, model).ToVariables();
        run.WriteText(template.Render(variables, options).Text);
        return ExitCode.Done;
    }

    private static ChatTemplate Template(Invocation run, ModelTemplate model)
    {
        if (model.Template is null)
            run.Log.Warning("The model brings no chat template; ChatML is a guess.");
        return model.Template ?? ChatTemplate.ChatMl;
    }

    private ChatPrompt Prompt(Invocation run, ModelTemplate? model) => new()
    {
        Messages = run.Get(_messages) is { } messages ? JsonInput.Array(messages) : [],
        Tools = run.Get(_tools) is { } tools ? JsonInput.Array(tools) : null,
        BosToken = model?.BosToken,
        EosToken = model?.EosToken,
        AddGenerationPrompt = !run.Get(_noGenerationPrompt),
        Variables = run.Get(_variables) is { } variables ? JsonInput.Object(variables) : null,
    };

    private static string RenderItem(JsonElement item, ChatTemplate? file, ModelTemplate? model, TemplateOptions options)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("variables", out var given) || given.ValueKind != JsonValueKind.Object)
            throw Failure.Because("An item must be an object with an object named \"variables\".");
        var own = item.TryGetProperty("template", out var source) && source.ValueKind == JsonValueKind.String;
        var template = own ? ChatTemplate.Parse(JsonInput.Text(source)) : file ?? model?.Template ?? (model is null ? throw Failure.Because("The item has no \"template\", and there is no model.") : ChatTemplate.ChatMl);
        if (own || model is null)
            return template.Render(given, options).Text;
        var variables = JsonInput.Object(given);
        if (model.BosToken is { } bos)
            variables.TryAdd("bos_token", bos);
        if (model.EosToken is { } eos)
            variables.TryAdd("eos_token", eos);
        return template.Render(variables, options).Text;
    }
}
