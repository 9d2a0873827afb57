using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A built-in function; with a receiver it is a method of that value.</summary>
internal sealed class FunctionValue(Builtin builtin, Value? receiver = null) : Value
{
    public override string TypeName => receiver is null ? "function" : "builtin_function_or_method";

    public override bool IsCallable => true;

    public override void WriteRepr(TextSink sink) =>
        sink.Append(receiver is null ? $"<function {builtin.Name}>" : $"<built-in method {builtin.Name} of {receiver.TypeName} object>");

    public override Value Call(Rendering rendering, Arguments arguments) =>
        builtin.Call(rendering, receiver is null ? arguments : arguments.Prepend(receiver));
}
