public import PalProvider
