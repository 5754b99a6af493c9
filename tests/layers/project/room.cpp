// Never compiled: these projects are only configured.
