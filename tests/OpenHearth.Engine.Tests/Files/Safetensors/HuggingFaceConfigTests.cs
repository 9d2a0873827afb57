using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Tests.Files.Safetensors;

public sealed class HuggingFaceConfigTests
{
    private const string Values = """
        {"text":"a","whole":7,"real":1.5,"integral":32.0,"truth":true,"nothing":null,"texts":["a","b"],"wholes":[1,2],
        "reals":[0.5,Infinity,-Infinity,{"__float__":"-Infinity"}],"bits":[1,0,true],"huge":1e300,"half":"\ud800",
        "section":{"inner":3},"infinitely":"Infinity \" Infinity"}
        """;

    [Fact]
    public void Find_RightKind_GivesTheValue()
    {
        var config = Parse(Values);
        Assert.Equal("a", config.FindString("text"));
        Assert.Equal((7, 32), (config.FindInteger("whole"), config.FindInteger("integral")));
        Assert.Equal((7.0, 1.5), (config.FindNumber("whole"), config.FindNumber("real")));
        Assert.True(config.FindBoolean("truth"));
        Assert.Equal<string[]>(["a", "b"], config.FindStrings("texts"));
        Assert.Equal<long[]>([1, 2], config.FindIntegers("wholes"));
        Assert.Equal<long[]>([1, 2], config.FindIntegerOrIntegers("wholes"));
        Assert.Equal<long[]>([7], config.FindIntegerOrIntegers("whole"));
        Assert.Equal<double[]>([0.5, double.PositiveInfinity, double.NegativeInfinity, double.NegativeInfinity], config.FindNumbers("reals"));
        Assert.Equal<bool[]>([true, false, true], config.FindBooleans("bits"));
        Assert.Equal(3, config.FindSection("section")!.FindInteger("inner"));
        Assert.Equal("Infinity \" Infinity", config.FindString("infinitely"));
        Assert.Null(config.FindString("nothing"));
        Assert.Null(config.FindInteger("none"));
        Assert.Equal((true, false, false), (config.Has("text"), config.Has("nothing"), config.Has("none")));
        Assert.Equal("config.json: 'none' is missing", config.Missing("none").Message);
    }

    [Theory]
    [InlineData("whole", nameof(ConfigSection.FindString), "expected a string, found '7'")]
    [InlineData("half", nameof(ConfigSection.FindString), "expected a string, found '\"\\ud800\"'")]
    [InlineData("text", nameof(ConfigSection.FindInteger), "expected a whole number, found '\"a\"'")]
    [InlineData("real", nameof(ConfigSection.FindInteger), "expected a whole number, found '1.5'")]
    [InlineData("huge", nameof(ConfigSection.FindInteger), "expected a whole number, found '1e300'")]
    [InlineData("text", nameof(ConfigSection.FindNumber), "expected a number, found")]
    [InlineData("whole", nameof(ConfigSection.FindBoolean), "expected true or false, found '7'")]
    [InlineData("wholes", nameof(ConfigSection.FindStrings), "expected a list of strings, found '[1,2]'")]
    [InlineData("reals", nameof(ConfigSection.FindIntegers), "expected a list of whole numbers")]
    [InlineData("text", nameof(ConfigSection.FindIntegerOrIntegers), "expected a whole number or a list of them")]
    [InlineData("texts", nameof(ConfigSection.FindNumbers), "expected a list of numbers")]
    [InlineData("wholes", nameof(ConfigSection.FindBooleans), "expected a list of true or false")]
    [InlineData("whole", nameof(ConfigSection.FindSection), "expected an object, found '7'")]
    public void Find_WrongKind_NamesFileKeyAndBoth(string key, string getter, string what)
    {
        var call = typeof(ConfigSection).GetMethod(getter)!;
        var failure = Assert.Throws<System.Reflection.TargetInvocationException>(() => call.Invoke(Parse(Values), [key])).InnerException;
        Assert.StartsWith($"config.json: '{key}': {what}", Assert.IsType<ModelFormatException>(failure).Message);
    }

    [Fact]
    public void Parse_TextConfig_GoesFirst()
    {
        var config = Parse("""{"model_type":"gemma3","hidden_size":1,"tie":true,"text_config":{"model_type":"gemma3_text","hidden_size":2,"x":{"y":"z"}}}""");
        Assert.Equal(("gemma3_text", 2, true), (config.ModelType, config.FindInteger("hidden_size"), config.FindBoolean("tie")));
        Assert.Equal(("gemma3", 1), (config.Root.FindString("model_type"), config.Root.FindInteger("hidden_size")));
        Assert.Contains("'text_config.hidden_size'", Assert.Throws<ModelFormatException>(() => config.FindString("hidden_size")).Message);
        Assert.Contains("'text_config.x.y'", Assert.Throws<ModelFormatException>(() => config.FindSection("x")!.FindInteger("y")).Message);
        Assert.Contains(": 'tie'", Assert.Throws<ModelFormatException>(() => config.FindInteger("tie")).Message);
    }

    [Theory]
    [InlineData("", "line 1, byte 0: no valid JSON")]
    [InlineData("{", "no valid JSON")]
    [InlineData("{\n\"a\":x}", "line 2, byte 4: no valid JSON")]
    [InlineData("[1]", "expected an object at byte 0, found '[1]'")]
    [InlineData("{\"a\":1,\"a\":2}", "no valid JSON")]
    [InlineData("{\"a\":NaN}", "no valid JSON")]
    [InlineData("{\"\\ud800\":1}", "a key is no Unicode text")]
    [InlineData("{\"a\":{\"\\ud800\":1}}", "a key is no Unicode text")]
    [InlineData("{\"a\":Infinit}", "no valid JSON")]
    public void Parse_NoObject_FailsInOneLine(string json, string what)
    {
        var message = Assert.Throws<ModelFormatException>(() => Parse(json)).Message;
        Assert.StartsWith("config.json: ", message);
        Assert.Contains(what, message);
        Assert.DoesNotContain(message, char.IsControl);
    }

    [Fact]
    public void Parse_HostileText_FailsInOneLine()
    {
        Assert.Contains("no valid JSON", Assert.Throws<ModelFormatException>(() => Parse("{\"a\":" + new string('[', 1 << 20))).Message);
        Assert.Contains("UTF-8", Assert.Throws<ModelFormatException>(() => HuggingFaceConfig.Parse([(byte)'{', 0xFF], "config.json")).Message);
    }

    [Fact]
    public void Read_FolderOrFile_FindsConfigAndGeneration()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("has no config.json", Assert.Throws<ModelFormatException>(() => HuggingFaceConfig.Read(folder.ToString())).Message);
        Assert.Throws<FileNotFoundException>(() => HuggingFaceConfig.Read(folder["config.json"]));
        folder.Write("config.json", [.. "\uFEFF{\"model_type\":\"x\",\"eos_token_id\":5,\"torch_dtype\":\"torch.float16\"}"u8]);
        var config = HuggingFaceConfig.Read(folder.ToString());
        Assert.Equal(("x", "float16"), (config.ModelType, config.Dtype));
        Assert.Equal([5], config.EosTokenIds);
        Assert.Null(config.Generation);
        folder.Write("generation_config.json", [.. "{\"eos_token_id\":[6,7]}"u8]);
        Assert.Equal([6, 7], HuggingFaceConfig.Read(folder["config.json"]).EosTokenIds);
        using (var file = File.OpenWrite(folder["config.json"]))
            file.SetLength(5 << 20);
        Assert.Contains("at most 4194304 are read", Assert.Throws<ModelFormatException>(() => HuggingFaceConfig.Read(folder["config.json"])).Message);
    }

    [Fact]
    public void Rope_EitherStyle_IsTheSame()
    {
        const string Scaling = "\"rope_type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":16,\"beta_fast\":32,\"beta_slow\":1,\"attention_factor\":1.5,\"truncate\":false";
        var old = Parse($"{{\"max_position_embeddings\":64,\"rope_theta\":5e5,\"partial_rotary_factor\":0.5,\"rope_scaling\":{{{Scaling}}}}}").Rope();
        var now = Parse($"{{\"max_position_embeddings\":64,\"rope_parameters\":{{\"rope_theta\":5e5,\"partial_rotary_factor\":0.5,{Scaling}}}}}").Rope();
        Assert.Equal(old, now);
        Assert.Equal(new RopeParameters { Type = "yarn", Theta = 5e5, Factor = 4, OriginalMaxPositions = 16, BetaFast = 32, BetaSlow = 1, AttentionFactor = 1.5, Truncate = false, PartialRotaryFactor = 0.5 }, now);
    }

    [Theory]
    [InlineData("""{"rope_theta":1e4,"rope_scaling":{"type":"linear","factor":2}}""", "linear", 1e4, 2.0)]
    [InlineData("""{"rope_theta":1e4,"rope_scaling":{"type":"mrope","mrope_section":[1]}}""", "default", 1e4, null)]
    [InlineData("""{"rope_theta":1e4,"rope_scaling":{"type":"su","short_factor":[1],"long_factor":[2]},"max_position_embeddings":64,"original_max_position_embeddings":16}""", "longrope", 1e4, 4.0)]
    [InlineData("""{"rotary_emb_base":25000,"rotary_pct":0.25}""", "default", 25000.0, null)]
    [InlineData("""{"rope_scaling":{"rope_type":"dynamic","factor":2}}""", "dynamic", 1e4, 2.0)]
    [InlineData("""{"rope_parameters":{"full_attention":{"rope_type":"default","rope_theta":7},"sliding_attention":{"rope_theta":8}}}""", "default", 7.0, null)]
    public void Rope_OlderNames_AreUnderstood(string json, string type, double theta, double? factor)
    {
        var rope = Parse(json).Rope()!;
        Assert.Equal((type, theta, factor), (rope.Type, rope.Theta, rope.Factor));
    }

    [Fact]
    public void Rope_PerLayerType_DiffersWhereTheFileSaysSo()
    {
        var now = Parse("""{"rope_parameters":{"full_attention":{"rope_type":"yarn","factor":2,"rope_theta":7},"sliding_attention":{"rope_theta":8}}}""");
        Assert.Equal(("yarn", 7.0), (now.Rope("full_attention")!.Type, now.Rope("full_attention")!.Theta));
        Assert.Equal(("default", 8.0), (now.Rope("sliding_attention")!.Type, now.Rope("sliding_attention")!.Theta));
        var old = Parse("""{"rope_theta":7,"rope_local_base_freq":8,"rope_scaling":{"rope_type":"linear","factor":2}}""");
        Assert.Equal(("linear", 7.0), (old.Rope("full_attention")!.Type, old.Rope("full_attention")!.Theta));
        Assert.Equal(("default", 8.0), (old.Rope("sliding_attention")!.Type, old.Rope("sliding_attention")!.Theta));
        Assert.Null(Parse("{}").Rope());
    }

    [Theory]
    [InlineData("""{"rope_theta":0}""", "'rope_theta': expected a number above 0, found 0")]
    [InlineData("""{"rope_theta":Infinity}""", "'rope_theta': expected a number above 0, found")]
    [InlineData("""{"rope_theta":1,"rope_scaling":{"original_max_position_embeddings":1e300}}""", "'rope_scaling.original_max_position_embeddings': expected at most 268435456 positions, found 1E+300")]
    [InlineData("""{"rope_theta":1,"rope_scaling":{"factor":-1}}""", "'rope_scaling.factor': expected a number above 0, found -1")]
    [InlineData("""{"rope_theta":1,"rope_scaling":7}""", "'rope_scaling': expected an object")]
    [InlineData("""{"rope_parameters":{"rope_type":5}}""", "'rope_parameters.rope_type': expected a string")]
    public void Rope_ImpossibleValues_NameTheKey(string json, string what) =>
        Assert.Contains(what, Assert.Throws<ModelFormatException>(() => Parse(json).Rope()).Message);

    private static HuggingFaceConfig Parse(string json) => HuggingFaceConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");
}
