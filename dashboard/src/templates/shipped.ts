import { parse } from 'yaml';
import type { EnvironmentTemplate } from '~/api/kinds';
import dev from '../../../specs/templates/dev.yaml?raw';
import prod from '../../../specs/templates/prod.yaml?raw';

/** The templates that ship with Mirage, read from the files that the server has them from. */
export const shipped: readonly EnvironmentTemplate[] = [dev, prod].map((text) => parse(text) as EnvironmentTemplate);
