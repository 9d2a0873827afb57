using OpenHearth.Cli;

return CommandLine.Run(args, Terminal.OfProcess());
