/** A connection string without its password, which is shown nowhere. */
export function shownUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)(.*)@/, (_, scheme: string, user: string) => {
    const name = user.split(':')[0] ?? '';
    return `${scheme}${name}:…@`;
  });
}

/** The connection string of a connection that calls itself so in the store's list of connections. */
export function withConnectionName(url: string, name: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}connectionName=${encodeURIComponent(name)}`;
}
