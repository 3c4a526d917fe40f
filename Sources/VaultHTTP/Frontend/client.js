export class VaultClient {}
