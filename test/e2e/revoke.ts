import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Statement {
  Action: string | string[];
}

/** Takes one action from the role of one function, in a synthesized template. @throws {Error} if it did not have it once */
export function revoke(assembly: string, role: string, action: string): void {
  const path = join(assembly, 'Tributary-dev.template.json');
  const template = JSON.parse(readFileSync(path, 'utf8'));
  let taken = 0;
  for (const [id, resource] of Object.entries<{
    Type: string;
    Properties: { PolicyDocument?: { Statement: Statement[] } };
  }>(template.Resources)) {
    if (resource.Type !== 'AWS::IAM::Policy' || !id.includes(role)) continue;
    const document = resource.Properties.PolicyDocument;
    if (!document) continue;
    document.Statement = document.Statement.flatMap((statement) => {
      const actions = [statement.Action].flat();
      const left = actions.filter((each) => each !== action);
      taken += actions.length - left.length;
      return left.length > 0 ? [{ ...statement, Action: left }] : [];
    });
  }
  if (taken !== 1) throw new Error(`${role} has ${action} ${taken} times`);
  writeFileSync(path, JSON.stringify(template));
}
