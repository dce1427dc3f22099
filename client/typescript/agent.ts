/** What a client tells its operator of itself, e.g. `tributary-client/0.1.0 Node.js/24`: of a browser, no more than its name. */
export function usualAgent(userAgent: string = navigator.userAgent): string {
  // Browsers name others too, the most telling one first in this order.
  const [runtime] = ['Node\\.js', 'Firefox', 'Edg', 'Chrome', 'Safari'].flatMap(
    (name) => userAgent.match(new RegExp(`${name}/\\d+`)) ?? [],
  );
  return ['tributary-client/0.1.0', runtime].filter(Boolean).join(' ');
}
