Console.Error.WriteLine("hearth: nothing to run yet.");
return 2;
