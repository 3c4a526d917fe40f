#include "vault_plugin.h"
