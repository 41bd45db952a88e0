using System.Collections;

namespace Dataflow.Engine.Models;

/// <summary>How many calls were made before one failed for good; noted on the exception, whatever its type, for the error row.</summary>
internal static class ModelAttempts
{
    private const string Key = "dataflow.attempts";

    public static void Note(Exception failure, int calls) => failure.Data[Key] = calls;

    /// <summary>1 if no call was repeated, or if the failure is not a model's.</summary>
    public static int Of(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (((IDictionary)failure.Data)[Key] is int calls)
            {
                return calls;
            }
        }

        return 1;
    }
}
