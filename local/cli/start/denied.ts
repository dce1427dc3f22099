import { FlError } from '../../../shared/core/errors.ts';
import type { Cloud } from '../../cloud/cloud.ts';

/** A call that the template does not allow would fail in an account too: it ends the run. @throws {FlError} `access-denied` */
export function requireNoDenial(cloud: Pick<Cloud, 'denials'>, cause?: unknown): void {
  const [denial] = cloud.denials();
  if (denial) throw new FlError('access-denied', denial.message, { cause });
}
