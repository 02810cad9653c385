import type { RailwayAccount } from '~/api/kinds';

/** Requests left of the hour's. */
export interface Budget {
  left: number;
  total: number;
}

/** The tightest of all credentials: the one that will make somebody wait. Unknown budgets count for nothing. */
export function tightest(accounts: Iterable<RailwayAccount>): Budget | undefined {
  let found: Budget | undefined;
  for (const account of accounts) {
    const [left, total] = (account.status?.budget ?? '').split('/').map(Number);
    if (left === undefined || !total || Number.isNaN(left)) continue;
    if (!found || left / total < found.left / found.total) found = { left, total };
  }
  return found;
}
