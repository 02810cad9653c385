import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';

/** How much of a failure is said again. */
const LENGTH = 1_500;

/** Says at the very end what went wrong: of a long log, that is what is left to read. */
export default class LastWords implements Reporter {
  private readonly failures: { test: TestCase; result: TestResult }[] = [];

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status !== test.expectedStatus) this.failures.push({ test, result });
  }

  onEnd(_: FullResult): void {
    for (const { test, result } of this.failures) {
      const how = test.outcome() === 'flaky' ? 'passed at another attempt, after' : 'failed:';
      const why = result.errors.map((error) => plain(`${error.message ?? ''}\n${error.snippet ?? ''}`).slice(0, LENGTH));
      process.stdout.write(`\n${test.title}\n${how}\n${why.join('\n')}\n`);
    }
  }

  printsToStdio(): boolean {
    return false;
  }
}

/** Without the colours of a terminal. */
function plain(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}
