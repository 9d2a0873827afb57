namespace OpenHearth.Kernels.Formats;

/// <summary>
/// How the numbers of a tensor are stored. Values below 1000 are ggml's type ids, as GGUF files write them
/// (source: ggml.h, <c>enum ggml_type</c>); the others exist in safetensors files only.
/// </summary>
#pragma warning disable CS1591 // the names are ggml's own and say it all
public enum TensorType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q8_1 = 9,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    Q8_K = 15,
    IQ2_XXS = 16,
    IQ2_XS = 17,
    IQ3_XXS = 18,
    IQ1_S = 19,
    IQ4_NL = 20,
    IQ3_S = 21,
    IQ2_S = 22,
    IQ4_XS = 23,
    I8 = 24,
    I16 = 25,
    I32 = 26,
    I64 = 27,
    F64 = 28,
    IQ1_M = 29,
    BF16 = 30,
    TQ1_0 = 34,
    TQ2_0 = 35,
    I2_S = 36,
    MXFP4 = 39,
    NVFP4 = 40,
    Q1_0 = 41,
    Q2_0 = 42,

    Bool = 1000,
    U8 = 1001,
    F8_E4M3 = 1002,
    F8_E5M2 = 1003,
    U16 = 1004,
    U32 = 1005,
    U64 = 1006,
}
#pragma warning restore CS1591
