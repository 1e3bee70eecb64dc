/** Id and fingerprint are made by whoever made the token, before anything is recorded. `force` revokes also the last one. */
export type ManagerTokenCommand =
  | { readonly type: 'IssueManagerToken'; readonly tokenId: string; readonly fingerprint: string }
  | { readonly type: 'RevokeManagerToken'; readonly tokenId: string; readonly force: boolean };
