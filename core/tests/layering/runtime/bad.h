enum Vendor { INTEL };
