export async function benchRequest() {
  return [];
}
