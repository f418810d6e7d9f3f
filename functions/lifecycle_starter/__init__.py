"""The Lambda that starts or finds the execution of a lifecycle call in Step Functions, and waits a while."""
